"""What translates: the grammar's own glossary, Azure AI Translator, or DeepL."""
