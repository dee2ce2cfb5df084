"""The embedded model: its tokenizer, its network, its rollouts. Everything here needs torch."""
