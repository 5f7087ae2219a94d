namespace StickyWs.Configuration;

/// <summary>TLS of a pool's clients, and TLS to its <c>https</c> backends: for requests, tunnels and probes alike.</summary>
public sealed class TlsOptions
{
    /// <summary>
    /// What happens to the TLS of the pool's clients. In configuration <c>"Tls": "Passthrough"</c> says the same as <c>"Tls": { "Mode": "Passthrough"
    /// }</c>. Default <see cref="PoolTlsMode.Terminate"/>.
    /// </summary>
    public PoolTlsMode Mode { get; set; } = PoolTlsMode.Terminate;

    /// <summary>
    /// The name sent as SNI and verified in the backend's certificate. Default: the host of the backend's address; for a <c>Tls</c> probe the pool's first
    /// exact server name.
    /// </summary>
    public string? ServerName { get; set; }

    /// <summary>
    /// A PEM file with the certificate authorities that may sign backend certificates, instead of the machine's own. Read when the configuration is
    /// loaded. Default: the machine's trust store.
    /// </summary>
    public string? CaCertificateFile { get; set; }

    /// <summary>
    /// Accept any certificate. Dangerous: anyone who can intercept the connection can impersonate the backend. For testing only. Default <see
    /// langword="false"/>.
    /// </summary>
    public bool DangerousAcceptAnyCertificate { get; set; }
}
