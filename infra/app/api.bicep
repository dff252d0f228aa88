// The function app, on Flex Consumption. Everything that it reaches, it reaches by its identity.
param name string
param planName string
param location string
param tags object
@description('Name of the service in azure.yaml: azd looks for the one resource that is tagged with it.')
param serviceName string
param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param alwaysReadyHttp int
param httpConcurrency int
param updateStrategy string
param zoneRedundant bool
param portalCors bool
param traceShare string
@description('Whether the account serves what is published.')
param staticWebsite bool
param kindQueues string
param identityId string
param identityClientId string
param storageName string
param packageContainer string
param cosmosEndpoint string
param cosmosDatabase string
param insightsConnectionString string
param operatorKeyUri string
param webhookSecretUri string
param redditClientId string
param redditClientSecretUri string
param aiSettings object
param entraClientId string
param settings object
param workspaceId string
@description('Subnet of the app; empty: it uses the public network.')
param subnetId string

var redditSettings = empty(redditClientId)
  ? {}
  : {
      REDDIT_CLIENT_ID: redditClientId
      REDDIT_CLIENT_SECRET: '@Microsoft.KeyVault(SecretUri=${redditClientSecretUri})'
    }

// Of the app's own spans only. By the trace alone, so that a story is told whole or not at all.
var traceSettings = traceShare == '1'
  ? {}
  : { OTEL_TRACES_SAMPLER: 'traceidratio', OTEL_TRACES_SAMPLER_ARG: traceShare }

// Where readers find what is published: at the account's web endpoint, or at the app itself.
var siteSettings = staticWebsite
  ? { SITE_URL: storage.properties.primaryEndpoints.web, SITE_WEB_CONTAINER: '$web' }
  : { SITE_URL: 'https://${app.properties.defaultHostName}/api/site/' }

var appSettings = union(
  {
    AzureWebJobsStorage__credential: 'managedidentity'
    AzureWebJobsStorage__clientId: identityClientId
    AzureWebJobsStorage__blobServiceUri: storage.properties.primaryEndpoints.blob
    AzureWebJobsStorage__queueServiceUri: storage.properties.primaryEndpoints.queue
    AzureWebJobsStorage__tableServiceUri: storage.properties.primaryEndpoints.table
    APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
    APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
    AZURE_CLIENT_ID: identityClientId
    COSMOS_ENDPOINT: cosmosEndpoint
    COSMOS_DATABASE: cosmosDatabase
    NIGHTSHIFT_OPERATOR_KEY: '@Microsoft.KeyVault(SecretUri=${operatorKeyUri})'
    WEBHOOK_SECRET: '@Microsoft.KeyVault(SecretUri=${webhookSecretUri})'
  },
  redditSettings,
  aiSettings,
  traceSettings,
  siteSettings,
  empty(kindQueues) ? {} : { JOBS_KIND_QUEUES: kindQueues },
  settings
)

resource storage 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: storageName
}

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { name: 'FC1', tier: 'FlexConsumption' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': serviceName })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${storage.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        // In several zones at least two are kept, whatever is asked for.
        alwaysReady: alwaysReadyHttp > 0
          ? [{ name: 'http', instanceCount: max(alwaysReadyHttp, zoneRedundant ? 2 : 1) }]
          : []
        // Unless it is set, an instance of a Python app serves one request at a time: one that waits would hold it.
        triggers: { http: { perInstanceConcurrency: httpConcurrency } }
      }
      // A deployment lets what runs end (RollingUpdate), or ends it (Recreate).
      #disable-next-line BCP037 // the API has it since 2024-11-01, its published types do not
      siteUpdateStrategy: { type: updateStrategy }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      // No page of another origin may call the app, but the portal's "Test/Run" where that was asked for.
      cors: { allowedOrigins: portalCors ? ['https://portal.azure.com'] : [], supportCredentials: false }
    }
  }

  resource appSettingsOfApp 'config' = {
    name: 'appsettings'
    properties: appSettings
  }

  // Deployment is by identity; nobody gets in with a name and a password.
  resource scm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
  resource ftp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  // Who signs in may be an operator by role; who does not still needs a key, which the host asks for.
  resource signIn 'config' = if (!empty(entraClientId)) {
    name: 'authsettingsV2'
    properties: {
      platform: { enabled: true }
      globalValidation: { unauthenticatedClientAction: 'AllowAnonymous' }
      httpSettings: { requireHttps: true }
      identityProviders: {
        azureActiveDirectory: {
          enabled: true
          registration: {
            clientId: entraClientId
            openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
          }
          validation: { allowedAudiences: [entraClientId, 'api://${entraClientId}'] }
        }
      }
    }
  }
}

#disable-next-line use-recent-api-versions // there is no newer one
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: app
  properties: {
    workspaceId: workspaceId
    // FunctionAppLogs would hold again, and charge again for, what goes to Application Insights.
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output uri string = 'https://${app.properties.defaultHostName}'
