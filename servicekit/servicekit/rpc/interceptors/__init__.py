"""What happens to every call before and after its use case, one step a file; chain.py puts them in order."""
