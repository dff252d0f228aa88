// Blobs and queues, for the app and for its host. There is no key: only who has a role gets in.
param name string
param location string
param tags object
param packageContainer string
@description('Container of the status blobs: NIGHTSHIFT_STATUS_CONTAINER.')
param statusContainer string
@description('Queues and their poison queues: infra/names.json.')
param queues array
@description('How long what jobs wrote beside their status is kept: RETENTION_ARTIFACT_DAYS.')
param artifactDays int
param principalId string
param operatorPrincipalId string
param operatorPrincipalType string
param workspaceId string
param endpointSubnetId string
param zoneRedundant bool
@description('Whether what is published (the container $web) is served as a static website.')
param staticWebsite bool

var roles = loadJsonContent('../roles.json')
var private = !empty(endpointSubnetId)
// The host keeps its locks, keys and packages in blobs (and asks to own them), and notes of its own health in tables.
var appRoles = [roles.storageBlobDataOwner, roles.storageQueueDataContributor, roles.storageTableDataContributor]
var operatorRoles = [roles.storageBlobDataContributor, roles.storageQueueDataContributor]

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: zoneRedundant ? 'Standard_ZRS' : 'Standard_LRS' }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'None', defaultAction: private ? 'Deny' : 'Allow' }
  }

  // No soft delete of blobs: it would keep, and charge for, each status that a job ever had.
  resource blobs 'blobServices' = {
    name: 'default'
    properties: {
      containerDeleteRetentionPolicy: { enabled: true, days: 7 }
      staticWebsite: staticWebsite
        ? { enabled: true, indexDocument: 'index.html', errorDocument404Path: '404.html' }
        : { enabled: false }
    }

    resource package 'containers' = { name: packageContainer }
    resource status 'containers' = { name: statusContainer }
  }

  resource messages 'queueServices' = {
    name: 'default'

    resource queue 'queues' = [for each in queues: { name: each }]
  }

  // A rule sees one blob's age and name, and no job. So none matches `jobs/`, which the app's own purge looks after, and
  // all that one matches is made anew where it is missing: collected content, named by its day, and digests.
  resource lifecycle 'managementPolicies' = {
    name: 'default'
    properties: {
      policy: {
        rules: [
          {
            name: 'artifacts'
            type: 'Lifecycle'
            enabled: true
            definition: {
              filters: {
                blobTypes: ['blockBlob']
                prefixMatch: ['${statusContainer}/20', '${statusContainer}/digests/']
              }
              actions: { baseBlob: { delete: { daysAfterModificationGreaterThan: artifactDays } } }
            }
          }
        ]
      }
    }
    dependsOn: [blobs]
  }
}

resource appMay 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in appRoles: {
    name: guid(account.id, principalId, role)
    scope: account
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

resource operatorMay 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for role in operatorRoles: if (!empty(operatorPrincipalId)) {
    name: guid(account.id, operatorPrincipalId, role)
    scope: account
    properties: {
      principalId: operatorPrincipalId
      principalType: operatorPrincipalType
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role)
    }
  }
]

// Metrics only: each request by itself would cost more to keep than to serve.
#disable-next-line use-recent-api-versions // there is no newer one
resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: account::blobs
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }]
  }
}

// Capacity holds QueueMessageCount, which infra/alerts/queue-stuck.kql reads.
#disable-next-line use-recent-api-versions // there is no newer one
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: account::messages
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'Transaction', enabled: true }, { category: 'Capacity', enabled: true }]
  }
}

module endpoints './endpoint.bicep' = [
  for service in ['blob', 'queue', 'table']: if (private) {
    name: 'storage-${service}-endpoint'
    params: {
      target: account.id
      group: service
      zone: 'privatelink.${service}.${environment().suffixes.storage}'
      location: location
      tags: tags
      subnetId: endpointSubnetId
    }
  }
]

output name string = account.name
