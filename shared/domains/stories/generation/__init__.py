"""What writes stories: a grammar, or a model behind Azure OpenAI or Anthropic."""
