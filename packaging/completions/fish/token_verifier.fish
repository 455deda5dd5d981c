# Completion for token_verifier is in the file of token_manager.
source (status dirname)/token_manager.fish
