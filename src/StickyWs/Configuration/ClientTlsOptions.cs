namespace StickyWs.Configuration;

/// <summary>TLS of clients that ends in the raw lane (<see cref="TransportOptions.Tls"/>).</summary>
public sealed class ClientTlsOptions
{
    internal const int MostTicketKeys = 16;

    /// <summary>
    /// Secrets that all instances share, each the base64 of 32 random bytes, at most 16. The keys of session tickets are derived from them, so that a
    /// client resumes its session at any instance (RFC 8446 section 2.2). The first one issues tickets, all of them are accepted. To rotate, first
    /// append the new key on every instance, then move it to the front, and remove the oldest after two hours. Default: none; each process then makes
    /// keys of its own, and new ones every hour.
    /// </summary>
    public IList<string> TicketKeys { get; } = [];
}
