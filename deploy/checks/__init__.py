"""Proves the manifests without a cluster: `python -m deploy.checks`, which is `make k8s`.

`render` makes the objects as `kubectl apply -k` would send them; every other module looks at them in one respect and
gives its findings as sentences.
"""
