"""REST from the contracts: every RPC with a `google.api.http` option is a route, and no message is written twice.

`bindings` finds the routes, `bodies` reads JSON, `reading` and `scalars` make messages of it by the contract's
`constraints`, `requests` and `responses` add what HTTP knows besides the body (path, query, conditions, status), and
`endpoints` joins them.
"""
