# Completion for token_authd is in the file of token_manager.
source (status dirname)/token_manager.fish
