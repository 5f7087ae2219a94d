namespace StickyWs.Tests.Configuration;

/// <param name="Key">The option.</param>
/// <param name="Good">A value that is good and not the default.</param>
/// <param name="Bad">Values that are not.</param>
/// <param name="Needs">What has to be written beside a good value.</param>
internal sealed record OptionRow(string Key, string Good, string[] Bad, params (string Key, string? Value)[] Needs)
{
    /// <summary>Whether it has to be written beside a bad one as well, lest there be another error.</summary>
    public bool IsNeededAlways { get; init; }

    /// <summary>What has to be written beside any value.</summary>
    public (string Key, string? Value)[] Beside => IsNeededAlways ? Needs : [];
}
