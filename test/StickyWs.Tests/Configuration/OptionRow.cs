namespace StickyWs.Tests.Configuration;

/// <param name="Key">The option.</param>
/// <param name="Good">A value that is good and not the default.</param>
/// <param name="Bad">Values that are not.</param>
/// <param name="Needs">What has to be written beside a good value, if anything.</param>
internal sealed record OptionRow(string Key, string Good, string[] Bad, (string Key, string? Value)? Needs = null);
