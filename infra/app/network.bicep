// Private networking: a network with room for the app's instances and for the endpoints of what it uses, and the names
// by which each service is found there.
param name string
param location string
param tags object
@description('Domains of the AI services that are made: each has a zone of its own.')
param aiDomains array

var suffix = environment().suffixes.storage
var zones = concat(
  [
    'privatelink.blob.${suffix}'
    'privatelink.queue.${suffix}'
    'privatelink.table.${suffix}'
    'privatelink.documents.azure.com'
    'privatelink.vaultcore.azure.net'
  ],
  map(aiDomains, domain => 'privatelink.${domain}')
)

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: ['10.40.0.0/16'] }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: '10.40.0.0/24'
          // What Flex Consumption asks for; the provider Microsoft.App must be registered in the subscription.
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: '10.40.1.0/24'
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }

  resource app 'subnets' existing = { name: 'app' }
  resource endpoints 'subnets' existing = { name: 'endpoints' }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for each in zones: {
    name: each
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (each, index) in zones: {
    parent: zone[index]
    name: name
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: { id: network.id }
    }
  }
]

output appSubnetId string = network::app.id
output endpointSubnetId string = network::endpoints.id
