// Azure OpenAI, for who wants it: one account, a model that reads text and images, one for embeddings.
param name string
param location string
@description('Region of the network, which may be another one than the account\'s.')
param networkLocation string
param tags object
param chatModel object
param embeddingModel object
param principalId string
param workspaceId string
param endpointSubnetId string

var roles = loadJsonContent('../roles.json')
var deployments = [{ name: 'chat', model: chatModel }, { name: 'embedding', model: embeddingModel }]
var private = !empty(endpointSubnetId)

resource account 'Microsoft.CognitiveServices/accounts@2024-10-01' = {
  name: name
  location: location
  tags: tags
  kind: 'OpenAI'
  sku: { name: 'S0' }
  properties: {
    customSubDomainName: name
    disableLocalAuth: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { defaultAction: private ? 'Deny' : 'Allow' }
  }
}

// One after the other, as the service asks for. Capacity is in thousands of tokens a minute.
@batchSize(1)
resource deployment 'Microsoft.CognitiveServices/accounts/deployments@2024-10-01' = [
  for each in deployments: {
    parent: account
    name: each.name
    sku: { name: 'GlobalStandard', capacity: 30 }
    properties: {
      model: { format: 'OpenAI', name: each.model.name, version: each.model.version }
      versionUpgradeOption: 'OnceCurrentVersionExpired'
    }
  }
]

resource mayUse 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account.id, principalId, roles.cognitiveServicesOpenAiUser)
  scope: account
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.cognitiveServicesOpenAiUser)
  }
}

resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'Audit', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint './endpoint.bicep' = if (private) {
  name: 'openai-endpoint'
  params: {
    target: account.id
    group: 'account'
    zone: 'privatelink.openai.azure.com'
    location: networkLocation
    tags: tags
    subnetId: endpointSubnetId
  }
}

@description('App settings that point the app at the deployments.')
output settings object = {
  AZURE_OPENAI_ENDPOINT: account.properties.endpoint
  AZURE_OPENAI_CHAT_DEPLOYMENT: 'chat'
  AZURE_OPENAI_EMBEDDING_DEPLOYMENT: 'embedding'
  AZURE_OPENAI_VISION_DEPLOYMENT: 'chat'
}
