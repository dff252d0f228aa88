// The alarms of the app, a second time and from outside, so that they also sound where the app is dead. One query each
// in infra/alerts, one page each in docs/runbooks; a query that returns a row is an alert.
param prefix string
param actionGroupName string
param location string
param tags object
param workspaceId string
param email string
param runbooks string

var rules = [
  {
    id: 'dead-letter-ratio'
    title: 'More jobs than usual give up'
    severity: 2
    every: 'PT15M'
    query: loadTextContent('../alerts/dead-letter-ratio.kql')
  }
  {
    id: 'missed-digest'
    title: 'The weekly digest of Monday 09:00 UTC was not made'
    severity: 2
    every: 'PT15M'
    query: loadTextContent('../alerts/missed-digest.kql')
  }
  {
    id: 'timer-silent'
    title: 'A daily timer has had no success in 36 hours'
    severity: 2
    every: 'PT1H'
    query: loadTextContent('../alerts/timer-silent.kql')
  }
  {
    id: 'queue-stuck'
    title: 'A queue does not move, or nobody watches the queues'
    severity: 2
    every: 'PT15M'
    query: loadTextContent('../alerts/queue-stuck.kql')
  }
  {
    id: 'poison-failing'
    title: 'A poison trigger cannot record what gave up'
    severity: 1
    every: 'PT5M'
    query: loadTextContent('../alerts/poison-failing.kql')
  }
  {
    id: 'loop-blocked'
    title: 'A handler keeps everything else in its process from running'
    severity: 2
    every: 'PT15M'
    query: loadTextContent('../alerts/loop-blocked.kql')
  }
]

resource operators 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: actionGroupName
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'nightshift'
    emailReceivers: empty(email) ? [] : [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alerts 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for rule in rules: {
    name: '${prefix}-${rule.id}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: 'nightshift: ${rule.id}'
      description: '${rule.title}. What to do: ${runbooks}/${rule.id}.md'
      severity: rule.severity
      enabled: true
      scopes: [workspaceId]
      evaluationFrequency: rule.every
      // The queries look at their own stretch of time within the longest that a rule may see.
      windowSize: 'P2D'
      criteria: {
        allOf: [
          {
            query: rule.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      autoMitigate: true
      // A table exists only after the first row in it.
      skipQueryValidation: true
      actions: {
        actionGroups: [operators.id]
        customProperties: { alarm: rule.id, runbook: '${runbooks}/${rule.id}.md' }
      }
    }
  }
]
