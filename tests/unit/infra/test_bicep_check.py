"""The checks of Bicep can fail: each fault, put into a small file that is right, is found and nothing else is."""

from __future__ import annotations

import pytest

from support.bicep import parse
from support.bicep_check import check

MAIN = """\
targetScope = 'subscription'

@description('Where.')
param location string
@allowed(['a', 'b'])
param size string = 'a'
param private bool = false
@secure()
param key string

var names = loadJsonContent('./names.json')
var tags = { size: size, 'a-b': names.x }

resource group 'Microsoft.Resources/resourceGroups@2024-03-01' = {
  name: 'rg-${size}'
  location: location
  tags: tags
}

module store './app/store.bicep' = {
  name: 'store'
  scope: group
  params: {
    name: toLower('st${uniqueString(subscription().id)}')
    queues: ['a', 'b']
    key: key
    subnet: private ? net!.outputs.subnet : ''
  }
}

module net './app/net.bicep' = if (private) {
  name: 'net'
  scope: group
  params: { count: 2 }
}

output URI string = store.outputs.uri
"""
STORE = """\
param name string
param queues array
param subnet string = ''
@secure()
param key string

resource account 'Microsoft.Storage/storageAccounts@2023-05-01' = {
  name: name
  properties: { secret: key, open: empty(subnet) }

  resource messages 'queueServices' = {
    name: 'default'

    @batchSize(2)
    resource queue 'queues' = [for (each, index) in queues: { name: '${each}${index}' }]
  }

  resource blobs 'blobServices' = { name: 'default', properties: { after: messages.id } }
}

resource settings 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'workspace'
  scope: account::messages
}

output uri string = account.properties.uri
"""
NET = """\
param count int

resource net 'Microsoft.Network/virtualNetworks@2024-05-01' = { name: 'vnet${count}' }

output subnet string = net.id
"""
RIGHT = {"main.bicep": MAIN, "app/store.bicep": STORE, "app/net.bicep": NET}


def faults(sources: dict[str, str]) -> list[str]:
    return check({path: parse(path, source) for path, source in sources.items()}, frozenset({"names.json"}))


def test_what_is_right_passes() -> None:
    assert faults(RIGHT) == []


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        ("main.bicep", "param location string\n", "param location strin = =\n", "syntax:"),
        ("main.bicep", "name: 'rg-${size}'", "name: 'rg-${sise}'", "unknown name: sise"),
        ("main.bicep", "tags: tags", "tags: tag", "unknown name: tag"),
        ("main.bicep", "toLower(", "lower(", "unknown function: lower"),
        ("main.bicep", "uniqueString(subscription().id)", "uniqueString()", "uniqueString takes 1 to 99 arguments, not 0"),
        ("main.bicep", "@secure()", "@secured()", "unknown decorator: secured"),
        ("main.bicep", "./names.json", "./nmaes.json", "no such file: nmaes.json"),
        ("main.bicep", "param size string", "param size strng", "unknown type: strng"),
        ("main.bicep", "var tags =", "var names =", "declared twice: names"),
        ("main.bicep", "    queues: ['a', 'b']\n", "", "./app/store.bicep needs the parameter queues"),
        ("main.bicep", "    key: key\n", "    key: key\n    kye: key\n", "./app/store.bicep has no parameter kye"),
        ("main.bicep", "queues: ['a', 'b']", "queues: 'a'", "takes array as queues, not string"),
        ("main.bicep", "queues: ['a', 'b']", "queues: size", "takes array as queues, not string"),
        ("main.bicep", "queues: ['a', 'b']", "queues: tags", "takes array as queues, not object"),
        ("main.bicep", "count: 2", "count: '2'", "takes int as count, not string"),
        ("main.bicep", "count: 2", "count: store.outputs.uri", "takes int as count, not string"),
        ("main.bicep", "store.outputs.uri", "store.outputs.url", "./app/store.bicep has no output url"),
        ("main.bicep", "store.outputs.uri", "net!.outputs.subnet", "net is there only if private"),
        ("main.bicep", "private ? net!.outputs.subnet : ''", "private ? '' : net!.outputs.subnet", "only if private"),
        ("main.bicep", "./app/net.bicep", "./app/nets.bicep", "no such module: ./app/nets.bicep"),
        ("main.bicep", "  name: 'net'\n  scope: group\n", "  name: 'net'\n", "the module net is of another scope"),
        ("main.bicep", "output URI string = store.outputs.uri", "output URI string = key", "tells the secret key"),
        ("main.bicep", "param private bool = false", "param private bool = false\nparam more int = 1", "never used: more"),
        ("main.bicep", "location: location", "location: 'x'", "never used: location"),
        ("main.bicep", "@2024-03-01'", "@latest'", "not a type with a version"),
        ("main.bicep", "{ size: size,", "{ ...size,", "syntax:"),
        ("main.bicep", "toLower('st", "map(size, (x) => 'st", "these checks do not know lambda_expression"),
        ("app/store.bicep", "account::messages", "account::message", "unknown name: account::message"),
        ("app/store.bicep", "scope: account::messages", "scope: messages", "unknown name: messages"),
        ("app/store.bicep", "'${each}${index}'", "'${each}${idx}'", "unknown name: idx"),
        ("app/store.bicep", "  name: name\n  prop", "  prop", "no name: account"),
        ("app/store.bicep", "@secure()\nparam key", "param key", "does not take key as a secret"),
        ("app/net.bicep", "= net.id", "= each.id", "unknown name: each"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_found(path: str, old: str, new: str, expected: str) -> None:
    assert old in RIGHT[path]
    found = faults(RIGHT | {path: RIGHT[path].replace(old, new, 1)})
    assert any(expected in fault for fault in found), found
