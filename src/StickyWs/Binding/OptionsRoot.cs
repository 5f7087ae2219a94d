namespace StickyWs.Binding;

/// <summary>The path of the configuration section, for messages that name keys.</summary>
internal sealed record OptionsRoot(string Path);
