namespace StickyWs.Configuration;

/// <summary>Hashes a request header.</summary>
public sealed class HeaderAffinityOptions
{
    /// <summary>The header's name. Required.</summary>
    public string Name { get; set; } = "";
}
