namespace StickyWs.Configuration;

/// <summary>Hashes a parameter of the query.</summary>
public sealed class QueryAffinityOptions
{
    /// <summary>The parameter's name, decoded; compared without case, as ASP.NET Core does. Required.</summary>
    public string Name { get; set; } = "";
}
