namespace StickyWs.Configuration;

/// <summary>What happens to the TLS of a pool's clients.</summary>
public enum PoolTlsMode
{
    /// <summary>It ends in this process, if the listener uses TLS: requests are seen, matched and balanced one by one.</summary>
    Terminate,

    /// <summary>
    /// It is passed through to the backends, which have the certificates: a connection is chosen by the server name that the client asks for
    /// (<see cref="MatchOptions.ServerNames"/>), and relayed as it is, encrypted.
    /// </summary>
    Passthrough,
}
