// Everything that Nightshift runs on, in one resource group: `azd up`. See docs/how-to/deploy.md.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment: part of the resource group\'s name, and what all other names are derived from.')
param environmentName string

@description('Region of everything but, if chosen, Azure OpenAI: one of those with Flex Consumption (az functionapp list-flexconsumption-locations).')
@allowed([
  'australiaeast'
  'australiasoutheast'
  'brazilsouth'
  'canadacentral'
  'centralindia'
  'centralus'
  'eastasia'
  'eastus'
  'eastus2'
  'francecentral'
  'germanywestcentral'
  'italynorth'
  'japaneast'
  'koreacentral'
  'northcentralus'
  'northeurope'
  'norwayeast'
  'southafricanorth'
  'southcentralus'
  'southeastasia'
  'southindia'
  'spaincentral'
  'swedencentral'
  'uaenorth'
  'uksouth'
  'ukwest'
  'westcentralus'
  'westeurope'
  'westus'
  'westus2'
  'westus3'
])
@metadata({ azd: { type: 'location' } })
param location string

@description('Python on which the app runs.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.12'

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of the HTTP functions together, and of each queue function by itself. Azure takes no fewer than 40.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances kept warm for HTTP; 0: the first request after a pause waits for a cold start.')
@minValue(0)
@maxValue(40)
param alwaysReadyHttp int = 0

@description('Requests that an instance serves at a time.')
@minValue(1)
@maxValue(1000)
param httpConcurrency int = 32

@description('Whether a deployment lets what runs end (RollingUpdate, a preview) or ends it (Recreate).')
@allowed(['RollingUpdate', 'Recreate'])
param updateStrategy string = 'RollingUpdate'

@description('Whether app, storage and documents are spread over the zones of the region, where it has them.')
param zoneRedundant bool = false

@description('Whether the portal\'s pages may call the app (Test/Run).')
param portalCors bool = false

@description('Request units a second up to which the documents scale, all containers together; 0: serverless.')
@minValue(0)
@maxValue(1000000)
param cosmosAutoscaleMaxRu int = 0

@description('Queues of their own for kinds of jobs, `kind=queue` separated by commas: JOBS_KIND_QUEUES.')
param kindQueues string = ''

@description('Whether what is published is served as a static website of the storage account.')
param staticWebsite bool = false

@description('Whether storage, documents, secrets and Azure OpenAI are reached through private endpoints only.')
param privateNetworking bool = false

@description('Whether an Azure OpenAI account is made; without it the app uses its built-in analysers.')
param openAi bool = false

@description('Region of Azure OpenAI where it is to be another one.')
param openAiLocation string = ''

@description('Model that reads text and images. It retires on 2027-03-18: Azure lists its successor a year before.')
param openAiChatModel string = 'gpt-5.4-mini'
param openAiChatModelVersion string = '2026-03-17'

@description('Model that makes embeddings; retires on 2027-04-15.')
param openAiEmbeddingModel string = 'text-embedding-3-small'
param openAiEmbeddingModelVersion string = '1'

@description('Whether an account of Azure AI Speech is made.')
param speech bool = false

@description('Whether an account of Azure AI Translator is made.')
param translator bool = false

@description('Whether an account of Azure AI Document Intelligence is made.')
param documentIntelligence bool = false

@description('Who is told by e-mail when an alert fires; empty: nobody, the alerts are in the portal only.')
param alertEmail string = ''

@description('Address of the folder of runbooks that alerts link to.')
param runbooks string = 'docs/runbooks'

@description('Most GB of telemetry a day that is taken in; what comes after it on that day is dropped. -1: no limit.')
param dailyLogCapGb int = 2

@description('Which share of the app\'s own spans is told, from 0 to 1; requests are told in any case.')
param traceShare string = '1'

@description('Object id of who may look into the queues, blobs, documents and secrets: whoever deploys. Empty: the app alone.')
param operatorPrincipalId string = ''

@description('What the operator is.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param operatorPrincipalType string = 'User'

@secure()
@minLength(20)
@description('The host key that may do what operators do.')
param operatorKey string

@secure()
@minLength(38)
@description('Signs completion callbacks: `whsec_` and the Base64 of 24 to 64 bytes.')
param webhookSecret string

@description('Id of the application at Reddit; empty: the public JSON is read.')
param redditClientId string = ''

@secure()
@description('Secret of the application at Reddit.')
param redditClientSecret string = ''

@description('Whether secrets and vault, once deleted, can be purged by nobody for their retention; it cannot be taken back.')
param purgeProtection bool = false

@description('Application (client) id of a registration in Microsoft Entra ID; empty: nobody can sign in, keys alone count.')
param entraClientId string = ''

@description('App settings of your own, over the defaults: docs/reference/settings.md.')
param settings object = {}

var abbrs = loadJsonContent('./abbreviations.json')
var names = loadJsonContent('./names.json')
var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }
var packageContainer = 'app-package'
var ownQueues = empty(kindQueues) ? [] : map(split(kindQueues, ','), each => trim(last(split(each, '='))))
var aiPrefix = '${abbrs.cognitiveServicesAccounts}${token}'
var aiServices = filter(
  loadJsonContent('./ai.json'),
  each =>
    (each.name == 'openai' && openAi) || (each.name == 'speech' && speech) || (each.name == 'translator' && translator) || (each.name == 'documents' && documentIntelligence)
)
// An account with a name of its own answers there.
var aiEndpoints = toObject(aiServices, each => each.setting, each => 'https://${aiPrefix}-${each.name}.${each.domain}/')
// Whoever speaks by an identity says through which account.
var aiSpeech = speech
  ? {
      AZURE_SPEECH_RESOURCE_ID: '${subscription().id}/resourceGroups/${group.name}/providers/Microsoft.CognitiveServices/accounts/${aiPrefix}-speech'
    }
  : {}
var aiModels = openAi
  ? {
      AZURE_OPENAI_CHAT_DEPLOYMENT: 'chat'
      AZURE_OPENAI_EMBEDDING_DEPLOYMENT: 'embedding'
      AZURE_OPENAI_VISION_DEPLOYMENT: 'chat'
    }
  : {}

resource group 'Microsoft.Resources/resourceGroups@2025-04-01' = {
  name: '${abbrs.resourcesResourceGroups}${environmentName}'
  location: location
  tags: tags
}

module identity './app/identity.bicep' = {
  name: 'identity'
  scope: group
  params: {
    name: '${abbrs.managedIdentityUserAssignedIdentities}api-${token}'
    location: location
    tags: tags
  }
}

module monitoring './app/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    workspaceName: '${abbrs.operationalInsightsWorkspaces}${token}'
    insightsName: '${abbrs.insightsComponents}${token}'
    location: location
    tags: tags
    dailyCapGb: dailyLogCapGb
    principalId: identity.outputs.principalId
  }
}

module network './app/network.bicep' = if (privateNetworking) {
  name: 'network'
  scope: group
  params: {
    name: '${abbrs.networkVirtualNetworks}${token}'
    location: location
    tags: tags
    aiDomains: union(map(aiServices, each => each.domain), [])
  }
}

module storage './app/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    name: '${abbrs.storageStorageAccounts}${token}'
    location: location
    tags: tags
    packageContainer: packageContainer
    statusContainer: settings.?NIGHTSHIFT_STATUS_CONTAINER ?? names.statusContainer
    queues: union(names.queues, ownQueues, map(ownQueues, each => '${each}-poison'))
    artifactDays: int(settings.?RETENTION_ARTIFACT_DAYS ?? names.artifactDays)
    zoneRedundant: zoneRedundant
    staticWebsite: staticWebsite
    principalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    workspaceId: monitoring.outputs.workspaceId
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
  }
}

module documents './app/documents.bicep' = {
  name: 'documents'
  scope: group
  params: {
    name: '${abbrs.documentDBDatabaseAccounts}${token}'
    location: location
    tags: tags
    database: names.database
    containers: names.containers
    indexing: names.indexing
    zoneRedundant: zoneRedundant
    autoscaleMaxRu: cosmosAutoscaleMaxRu
    principalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    workspaceId: monitoring.outputs.workspaceId
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
  }
}

module vault './app/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    name: '${abbrs.keyVaultVaults}${token}'
    location: location
    tags: tags
    operatorKey: operatorKey
    webhookSecret: webhookSecret
    redditClientId: redditClientId
    redditClientSecret: redditClientSecret
    purgeProtection: purgeProtection
    principalId: identity.outputs.principalId
    operatorPrincipalId: operatorPrincipalId
    operatorPrincipalType: operatorPrincipalType
    workspaceId: monitoring.outputs.workspaceId
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
  }
}

module ai './app/ai.bicep' = if (!empty(aiServices)) {
  name: 'ai'
  scope: group
  params: {
    prefix: aiPrefix
    services: aiServices
    location: location
    openAiLocation: empty(openAiLocation) ? location : openAiLocation
    chatModel: { name: openAiChatModel, version: openAiChatModelVersion }
    embeddingModel: { name: openAiEmbeddingModel, version: openAiEmbeddingModelVersion }
    tags: tags
    principalId: identity.outputs.principalId
    workspaceId: monitoring.outputs.workspaceId
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
  }
}

module api './app/api.bicep' = {
  name: 'api'
  scope: group
  params: {
    name: '${abbrs.webSitesFunctions}${token}'
    planName: '${abbrs.webServerFarms}${token}'
    location: location
    tags: tags
    serviceName: 'api'
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReadyHttp: alwaysReadyHttp
    httpConcurrency: httpConcurrency
    updateStrategy: updateStrategy
    zoneRedundant: zoneRedundant
    portalCors: portalCors
    traceShare: traceShare
    staticWebsite: staticWebsite
    kindQueues: kindQueues
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    storageName: storage.outputs.name
    packageContainer: packageContainer
    cosmosEndpoint: documents.outputs.endpoint
    cosmosDatabase: names.database
    insightsConnectionString: monitoring.outputs.connectionString
    operatorKeyUri: vault.outputs.operatorKeyUri
    webhookSecretUri: vault.outputs.webhookSecretUri
    redditClientId: redditClientId
    redditClientSecretUri: vault.outputs.redditClientSecretUri
    aiSettings: union(aiEndpoints, aiSpeech, aiModels)
    entraClientId: entraClientId
    settings: settings
    workspaceId: monitoring.outputs.workspaceId
    subnetId: privateNetworking ? network!.outputs.appSubnetId : ''
  }
}

module alerts './app/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    prefix: '${abbrs.insightsScheduledQueryRules}${token}'
    actionGroupName: '${abbrs.insightsActionGroups}${token}'
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
    runbooks: runbooks
  }
}

// In the azd environment, under the names that the app and `dev.py` know them by.
output AZURE_LOCATION string = location
output AZURE_TENANT_ID string = tenant().tenantId
output AZURE_RESOURCE_GROUP string = group.name
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output AZURE_FUNCTION_NAME string = api.outputs.name
output SERVICE_API_NAME string = api.outputs.name
output SERVICE_API_RESOURCE_ID string = api.outputs.id
output SERVICE_API_URI string = api.outputs.uri
output AzureWebJobsStorage__accountName string = storage.outputs.name
output COSMOS_ENDPOINT string = documents.outputs.endpoint
output COSMOS_DATABASE string = names.database
output APPLICATIONINSIGHTS_CONNECTION_STRING string = monitoring.outputs.connectionString
output APPLICATIONINSIGHTS_NAME string = monitoring.outputs.insightsName
