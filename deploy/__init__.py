"""How Bihuan is packed and run on Kubernetes, and the proof that what is written there is true."""
