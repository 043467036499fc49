"""This package is the shapes of Genesys Cloud's notification topics, and events of these shapes.

`topics.json`: 242 topics with the fields of their bodies. Taken from the models of Genesys' SDK for Python
(`PureCloudPlatformClientV2` 269.0.0) and the topics of its SDK for .NET (`notificationMappings.json`, 270.0.0), both
under the MIT licence, Copyright Genesys. Models that are equal stand there once, a line each.
Types: `string`, `integer`, `number`, `boolean`, `datetime` (ISO text), `object` (anything), `[T]`, `{string: T}`, the
name of a model, or `enum <name>`. Every field is optional: an empty body is legal.

`facts.json`: of each topic what the `{id}`s of its name stand for, where its body tells the conversation, in which
fields (best first) its own time, and what keys it (`body:<path>`, `topic:<n-th id>`, `topic`). These are judgement,
made once from names and descriptions; the SDK does not say so.
"""
