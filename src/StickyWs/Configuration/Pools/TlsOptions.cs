namespace StickyWs.Configuration;

/// <summary>TLS to the <c>https</c> backends of a pool, for requests, tunnels and probes alike.</summary>
public sealed class TlsOptions
{
    /// <summary>The name sent as SNI and verified in the backend's certificate. Default: the host of the backend's address.</summary>
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
