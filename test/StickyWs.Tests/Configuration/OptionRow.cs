namespace StickyWs.Tests.Configuration;

internal sealed record OptionRow(string Key, string Good, string[] Bad);
