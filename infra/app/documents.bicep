// The documents: Cosmos DB for NoSQL without keys, paid by the request or, for who asks for it, by the throughput it scales to.
param name string
param location string
param tags object
param database string
@description('Names of the containers: infra/names.json.')
param containers array
@description('Of each container the paths that are indexed, and those that are not, since no query asks for them: infra/names.json.')
param indexing object
param zoneRedundant bool
@description('Request units a second that all containers together may use at most; 0: serverless, 5,000 for each container.')
param autoscaleMaxRu int
param principalId string
param operatorPrincipalId string
param workspaceId string
param endpointSubnetId string

var roles = loadJsonContent('../roles.json')
var private = !empty(endpointSubnetId)
var principals = empty(operatorPrincipalId) ? [principalId] : [principalId, operatorPrincipalId]

resource account 'Microsoft.DocumentDB/databaseAccounts@2025-10-15' = {
  name: name
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  properties: {
    databaseAccountOfferType: 'Standard'
    capabilities: autoscaleMaxRu > 0 ? [] : [{ name: 'EnableServerless' }]
    locations: [{ locationName: location, failoverPriority: 0, isZoneRedundant: zoneRedundant }]
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: 'Continuous7Days' } }
  }

  resource documents 'sqlDatabases' = {
    name: database
    properties: {
      resource: { id: database }
      options: autoscaleMaxRu > 0 ? { autoscaleSettings: { maxThroughput: autoscaleMaxRu } } : {}
    }

    @batchSize(4)
    resource container 'containers' = [
      for each in containers: {
        name: each
        properties: {
          resource: {
            id: each
            partitionKey: { kind: 'Hash', version: 2, paths: ['/pk'] }
            // Time to live is on, without a default: a document expires where it says so itself.
            defaultTtl: -1
            indexingPolicy: {
              indexingMode: 'consistent'
              automatic: true
              includedPaths: indexing[each].includedPaths
              excludedPaths: indexing[each].excludedPaths
            }
          }
        }
      }
    ]
  }
}

// Cosmos DB's own kind of role assignment: reading and writing documents, and no managing of databases or containers.
// One after the other, and after the containers: an account takes one change at a time and refuses a second.
@batchSize(1)
resource mayWrite 'Microsoft.DocumentDB/databaseAccounts/sqlRoleAssignments@2025-10-15' = [
  for principal in principals: {
    parent: account
    name: guid(account.id, principal, roles.cosmosDataContributor)
    properties: {
      principalId: principal
      roleDefinitionId: '${account.id}/sqlRoleDefinitions/${roles.cosmosDataContributor}'
      scope: account.id
    }
    dependsOn: [account::documents::container]
  }
]

#disable-next-line use-recent-api-versions // there is no newer one
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: account
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    // Each request by itself (DataPlaneRequests) would cost more to keep than to serve.
    logs: [{ category: 'ControlPlaneRequests', enabled: true }]
    metrics: [{ category: 'Requests', enabled: true }]
  }
}

module endpoint './endpoint.bicep' = if (private) {
  name: 'documents-endpoint'
  params: {
    target: account.id
    group: 'Sql'
    zone: 'privatelink.documents.azure.com'
    location: location
    tags: tags
    subnetId: endpointSubnetId
  }
  dependsOn: [mayWrite]
}

output endpoint string = account.properties.documentEndpoint
