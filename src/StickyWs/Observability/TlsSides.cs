namespace StickyWs.Observability;

/// <summary>On which sides of a tunnel TLS ends here.</summary>
internal static class TlsSides
{
    public const string None = "none", Client = "client", Backend = "backend", Both = "both";

    /// <summary>Nowhere: it passes through.</summary>
    public const string Through = "through";

    public static string Of(bool client, bool backend) => (client, backend) switch
    {
        (true, true) => Both,
        (true, false) => Client,
        (false, true) => Backend,
        _ => None,
    };
}
