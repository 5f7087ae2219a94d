namespace StickyWs.Configuration;

/// <summary>Hashes a query parameter.</summary>
public sealed class QueryAffinityOptions
{
    /// <summary>The decoded name of the parameter, case-insensitive as in ASP.NET Core. Required.</summary>
    public string Name { get; set; } = "";
}
