"""This package is pure: no Kafka, no network, no clock and no event loop; values in, values out.

Its rooms have the names of those in streams/ and clients/ that they serve. Whoever needs the time or chance passes
it in. import-linter keeps the rule.
"""
