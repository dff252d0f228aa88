"""Stories in a language that one learns: adventures whose entries are generated, translated, spoken and analysed."""
