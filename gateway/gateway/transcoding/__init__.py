"""REST from the contracts: every RPC with a `google.api.http` option is a route, and no message is written twice.

`bindings` finds the routes, `reading` and `writing` turn JSON into messages and back, `requests` and `responses` add
what HTTP knows besides the body (path, query, conditions, status), `endpoints` joins them, `openapi` describes them.
"""
