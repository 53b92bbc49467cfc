"""The built-in OpenID Connect issuer of the embedded default, off when BIHUAN_ISSUER_DIR is not set.

It is a real one, but small: passwords and client secrets, authorization code with PKCE, ES256. A platform with its own
identity provider names that one in BIHUAN_OIDC_ISSUER and BIHUAN_OIDC_JWKS instead.
"""
