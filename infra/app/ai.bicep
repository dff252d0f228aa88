// Azure's AI services, each for who wants it: Azure OpenAI with a chat and an embedding model, Speech, Translator, Document
// Intelligence. One account each, without keys: the app signs in by its identity.
@minLength(3)
param prefix string
param location string
@description('Region of Azure OpenAI, which may be another one than the app\'s.')
param openAiLocation string
param openAi bool
param chatModel object
param embeddingModel object
param speech bool
param translator bool
param documentIntelligence bool
param tags object
param principalId string
param workspaceId string
param endpointSubnetId string

var roles = loadJsonContent('../roles.json')
var private = !empty(endpointSubnetId)
var services = concat(
  openAi
    ? [
        {
          name: 'openai'
          kind: 'OpenAI'
          location: openAiLocation
          role: roles.cognitiveServicesOpenAiUser
          domain: 'openai.azure.com'
          setting: 'AZURE_OPENAI_ENDPOINT'
        }
      ]
    : [],
  speech
    ? [
        {
          name: 'speech'
          kind: 'SpeechServices'
          location: location
          role: roles.cognitiveServicesSpeechUser
          domain: 'cognitiveservices.azure.com'
          setting: 'AZURE_SPEECH_ENDPOINT'
        }
      ]
    : [],
  translator
    ? [
        {
          name: 'translator'
          kind: 'TextTranslation'
          location: location
          role: roles.cognitiveServicesUser
          domain: 'cognitiveservices.azure.com'
          setting: 'AZURE_TRANSLATOR_ENDPOINT'
        }
      ]
    : [],
  documentIntelligence
    ? [
        {
          name: 'documents'
          kind: 'FormRecognizer'
          location: location
          role: roles.cognitiveServicesUser
          domain: 'cognitiveservices.azure.com'
          setting: 'AZURE_DOCUMENT_INTELLIGENCE_ENDPOINT'
        }
      ]
    : []
)
var deployments = openAi ? [{ name: 'chat', model: chatModel }, { name: 'embedding', model: embeddingModel }] : []

resource accounts 'Microsoft.CognitiveServices/accounts@2025-09-01' = [
  for service in services: {
    name: '${prefix}-${service.name}'
    location: service.location
    tags: tags
    kind: service.kind
    sku: { name: service.kind == 'TextTranslation' ? 'S1' : 'S0' }
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
    name: guid(accounts[index].id, principalId, service.role)
    scope: accounts[index]
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', service.role)
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

// An account with a name of its own answers there.
var endpointSettings = toObject(
  services,
  service => service.setting,
  service => 'https://${prefix}-${service.name}.${service.domain}/'
)
var modelSettings = openAi
  ? {
      AZURE_OPENAI_CHAT_DEPLOYMENT: 'chat'
      AZURE_OPENAI_EMBEDDING_DEPLOYMENT: 'embedding'
      AZURE_OPENAI_VISION_DEPLOYMENT: 'chat'
    }
  : {}

@description('App settings that point the app at what was made.')
output settings object = union(endpointSettings, modelSettings)
