namespace StickyWs.IntegrationTests.Passthrough;

/// <summary>The listeners at which TLS may arrive that is to be passed through.</summary>
public enum Door
{
    /// <summary>An https listener whose own TLS ends in Kestrel, on the raw transport.</summary>
    Https,

    /// <summary>The same with a second sniffer inside of TLS.</summary>
    HttpsSniffedInside,

    /// <summary>An https listener whose own TLS ends in the raw lane.</summary>
    HttpsRaw,

    /// <summary>The same on epoll.</summary>
    HttpsRawEpoll,

    /// <summary>An https listener on Kestrel's own sockets.</summary>
    HttpsPortable,

    /// <summary>A listener without a certificate, on the raw transport.</summary>
    Plain,

    /// <summary>A listener without a certificate, on Kestrel's own sockets.</summary>
    PlainPortable,
}
