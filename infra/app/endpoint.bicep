// The private endpoint of one service, known by name in the network. The zones are those of network.bicep.
param target string
param group string
param zone string
param location string
param tags object
param subnetId string

var abbrs = loadJsonContent('../abbreviations.json')
var name = '${abbrs.networkPrivateEndpoints}${last(split(target, '/'))}-${toLower(group)}'

resource zoneOfService 'Microsoft.Network/privateDnsZones@2024-06-01' existing = {
  name: zone
}

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    privateLinkServiceConnections: [
      {
        name: name
        properties: {
          privateLinkServiceId: target
          groupIds: [group]
        }
      }
    ]
  }

  resource names 'privateDnsZoneGroups' = {
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [{ name: group, properties: { privateDnsZoneId: zoneOfService.id } }]
    }
  }
}
