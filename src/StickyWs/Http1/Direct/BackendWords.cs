namespace StickyWs.Http1;

/// <summary>What the head of a request says to the backend besides the client's own words.</summary>
internal ref struct BackendWords
{
    /// <summary>The peer of the client's connection as <c>X-Forwarded-For</c> has it; empty where there is none.</summary>
    public ReadOnlySpan<byte> Address;

    /// <summary><c>http</c> or <c>https</c>, as used between the client and this process.</summary>
    public ReadOnlySpan<byte> Scheme;

    /// <summary>Whether the peer is a trusted proxy: its own forwarded headers are kept, and the peer is appended.</summary>
    public bool IsTrusted;

    /// <summary>Whole lines to add, each with its CRLF.</summary>
    public ReadOnlySpan<byte> Lines;

    /// <summary>Whether the backend is to close its connection after the answer.</summary>
    public bool Closes;

    /// <summary>Whether the answer's body will be read, and so must not be compressed.</summary>
    public bool DropsAcceptEncoding;

    /// <summary>Whether <see cref="Lines"/> bring <c>traceparent</c> and <c>tracestate</c> anew.</summary>
    public bool DropsTrace;
}
