"""What any OpenID Connect client needs to know to use the issuer (OpenID Connect Discovery 1.0)."""

from __future__ import annotations

from typing import Any, Final

CONFIGURATION_PATH: Final = "/.well-known/openid-configuration"
JWKS_PATH: Final = "/oidc/jwks"
TOKEN_PATH: Final = "/oidc/token"  # noqa: S105 -- a path
AUTHORIZE_PATH: Final = "/oidc/authorize"


def configuration(issuer: str, base_url: str) -> dict[str, Any]:
    """The configuration of `issuer`, served at `base_url`."""
    return {
        "issuer": issuer,
        "authorization_endpoint": base_url + AUTHORIZE_PATH,
        "token_endpoint": base_url + TOKEN_PATH,
        "jwks_uri": base_url + JWKS_PATH,
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "client_credentials", "password"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "scopes_supported": ["openid"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "code_challenge_methods_supported": ["S256"],
        "claims_supported": [
            "sub",
            "roles",
            "domain",
            "customer_id",
            "locale",
            "preferred_username",
            "iss",
            "aud",
            "exp",
            "iat",
        ],
        "ui_locales_supported": ["zh-CN", "en"],
        "authorization_response_iss_parameter_supported": True,
    }
