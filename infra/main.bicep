// Everything that Nightshift runs on, in one resource group: `azd up`. See docs/how-to/deploy.md.
targetScope = 'subscription'

@minLength(1)
@maxLength(40)
@description('Name of the azd environment: part of the resource group\'s name, and what all other names are derived from.')
param environmentName string

@minLength(1)
@description('Region of everything but, if chosen, Azure OpenAI. It must offer Flex Consumption.')
@metadata({ azd: { type: 'location' } })
param location string

@description('Python on which the app runs.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.12'

@description('Memory of an instance, in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of the HTTP functions together, and of each queue function by itself.')
@minValue(1)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances kept warm for HTTP; 0: the first request after a pause waits for a cold start.')
@minValue(0)
param alwaysReadyHttp int = 0

@description('Whether storage, documents, secrets and Azure OpenAI are reached through private endpoints only.')
param privateNetworking bool = false

@description('Whether an Azure OpenAI account is made; without it the app uses its built-in analysers.')
param openAi bool = false

@description('Region of Azure OpenAI where it is to be another one.')
param openAiLocation string = ''

@description('Model that reads text and images.')
param openAiChatModel object = { name: 'gpt-4.1-mini', version: '2025-04-14' }

@description('Model that makes embeddings.')
param openAiEmbeddingModel object = { name: 'text-embedding-3-small', version: '1' }

@description('Who is told by e-mail when an alert fires; empty: nobody, the alerts are in the portal only.')
param alertEmail string = ''

@description('Address of the folder of runbooks that alerts link to.')
param runbooks string = 'docs/runbooks'

@description('Most GB of telemetry a day that is taken in; what comes after it on that day is dropped. -1: no limit.')
param dailyLogCapGb int = 2

@description('Object id of who may look into the queues, blobs and documents; empty: the app alone.')
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

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
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
    openAi: openAi
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
    queues: names.queues
    artifactDays: int(settings.?RETENTION_ARTIFACT_DAYS ?? names.artifactDays)
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
    workspaceId: monitoring.outputs.workspaceId
    endpointSubnetId: privateNetworking ? network!.outputs.endpointSubnetId : ''
  }
}

module ai './app/openai.bicep' = if (openAi) {
  name: 'openai'
  scope: group
  params: {
    name: '${abbrs.cognitiveServicesAccounts}${token}'
    location: empty(openAiLocation) ? location : openAiLocation
    networkLocation: location
    chatModel: openAiChatModel
    embeddingModel: openAiEmbeddingModel
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
    openAiSettings: openAi ? ai!.outputs.settings : {}
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
output SERVICE_API_NAME string = api.outputs.name
output SERVICE_API_RESOURCE_ID string = api.outputs.id
output SERVICE_API_URI string = api.outputs.uri
output AzureWebJobsStorage__accountName string = storage.outputs.name
output COSMOS_ENDPOINT string = documents.outputs.endpoint
output COSMOS_DATABASE string = names.database
output APPLICATIONINSIGHTS_NAME string = monitoring.outputs.insightsName
