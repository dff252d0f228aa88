// The secrets that cannot be an identity: the operator's key, and what others' services ask for.
param name string
param location string
param tags object
@secure()
param operatorKey string
@secure()
param webhookSecret string
param redditClientId string
@secure()
param redditClientSecret string
param purgeProtection bool
param principalId string
param operatorPrincipalId string
param operatorPrincipalType string
param workspaceId string
param endpointSubnetId string

var roles = loadJsonContent('../roles.json')
var private = !empty(endpointSubnetId)

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    enablePurgeProtection: purgeProtection ? true : null // `false` is refused
    publicNetworkAccess: private ? 'Disabled' : 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: private ? 'Deny' : 'Allow' }
  }

  resource operator 'secrets' = {
    name: 'operator-key'
    properties: { value: operatorKey, contentType: 'host key' }
  }

  resource webhook 'secrets' = {
    name: 'webhook-secret'
    properties: { value: webhookSecret, contentType: 'Standard Webhooks' }
  }

  resource reddit 'secrets' = if (!empty(redditClientId)) {
    name: 'reddit-client-secret'
    properties: { value: redditClientSecret, contentType: 'OAuth client secret' }
  }
}

resource mayRead 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, roles.keyVaultSecretsUser)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsUser)
  }
}

// Whoever deploys reads and changes the secrets: a key is changed here, or by the next deployment.
resource operatorMay 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(operatorPrincipalId)) {
  name: guid(vault.id, operatorPrincipalId, roles.keyVaultSecretsOfficer)
  scope: vault
  properties: {
    principalId: operatorPrincipalId
    principalType: operatorPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.keyVaultSecretsOfficer)
  }
}

#disable-next-line use-recent-api-versions // there is no newer one
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

module endpoint './endpoint.bicep' = if (private) {
  name: 'vault-endpoint'
  params: {
    target: vault.id
    group: 'vault'
    zone: 'privatelink.vaultcore.azure.net'
    location: location
    tags: tags
    subnetId: endpointSubnetId
  }
}

output name string = vault.name
// Without a version: the platform looks for a newer one once a day, and when it is told to (infra/hooks/keys.py).
output operatorKeyUri string = '${vault.properties.vaultUri}secrets/${vault::operator.name}'
output webhookSecretUri string = '${vault.properties.vaultUri}secrets/${vault::webhook.name}'
output redditClientSecretUri string = empty(redditClientId)
  ? ''
  : '${vault.properties.vaultUri}secrets/reddit-client-secret'
