namespace StickyWs.Configuration;

/// <summary>TLS towards the <c>https</c> backends of a pool, for requests, tunnels and probes alike.</summary>
public sealed class TlsOptions
{
    /// <summary>The name asked for (SNI) and checked in the backend's certificate. Default: the host of the backend's address.</summary>
    public string? ServerName { get; set; }

    /// <summary>
    /// A PEM file with the certificate authorities that may sign backend certificates, instead of the machine's own. Read when the
    /// configuration is loaded. Default: the machine's.
    /// </summary>
    public string? CaCertificateFile { get; set; }

    /// <summary>
    /// Accept any certificate. Dangerous: whoever can answer on the network is taken for the backend. For trials only. Default <see langword="false"/>.
    /// </summary>
    public bool DangerousAcceptAnyCertificate { get; set; }
}
