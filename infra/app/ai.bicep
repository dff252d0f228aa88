// Azure's AI services, each for who wants it, one account each without keys: the app signs in by its identity. Azure OpenAI's
// account comes first where it is wanted, with a chat and an embedding model.
@minLength(3)
param prefix string
@description('Those of infra/ai.json that are wanted.')
param services array
param location string
@description('Region of Azure OpenAI, which may be another one than the app\'s.')
param openAiLocation string
param chatModel object
param embeddingModel object
param tags object
param principalId string
param workspaceId string
param endpointSubnetId string

var roles = loadJsonContent('../roles.json')
var private = !empty(endpointSubnetId)
var models = [{ name: 'chat', model: chatModel }, { name: 'embedding', model: embeddingModel }]
var deployments = !empty(services) && first(services).kind == 'OpenAI' ? models : []

resource accounts 'Microsoft.CognitiveServices/accounts@2025-09-01' = [
  for service in services: {
    name: '${prefix}-${service.name}'
    location: service.kind == 'OpenAI' ? openAiLocation : location
    tags: tags
    kind: service.kind
    sku: { name: service.sku }
    properties: {
      // Signing in by identity needs a name of one's own, and so does a private endpoint.
      customSubDomainName: '${prefix}-${service.name}'
      disableLocalAuth: true
      publicNetworkAccess: private ? 'Disabled' : 'Enabled'
      networkAcls: { defaultAction: private ? 'Deny' : 'Allow' }
    }
  }
]

// One after the other, as the service asks for. Capacity is in thousands of tokens a minute.
@batchSize(1)
resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2025-09-01' = [
  for each in deployments: {
    parent: accounts[0]
    name: each.name
    sku: { name: 'GlobalStandard', capacity: 30 }
    properties: {
      model: { format: 'OpenAI', name: each.model.name, version: each.model.version }
      versionUpgradeOption: 'OnceCurrentVersionExpired'
    }
  }
]

resource mayUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (service, index) in services: {
    name: guid(accounts[index].id, principalId, roles[service.role])
    scope: accounts[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles[service.role])
    }
  }
]

#disable-next-line use-recent-api-versions // there is no newer one
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = [
  for (service, index) in services: {
    name: 'workspace'
    scope: accounts[index]
    properties: {
      workspaceId: workspaceId
      logs: [{ category: 'Audit', enabled: true }]
      metrics: [{ category: 'AllMetrics', enabled: true }]
    }
  }
]

module endpoints './endpoint.bicep' = [
  for (service, index) in services: if (private) {
    name: '${service.name}-endpoint'
    params: {
      target: accounts[index].id
      group: 'account'
      zone: 'privatelink.${service.domain}'
      location: location
      tags: tags
      subnetId: endpointSubnetId
    }
  }
]
