"""What an engineer who knows a fault does about it; `remedy.py` says it for one fault."""
