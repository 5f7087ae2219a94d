namespace StickyWs.Tls;

/// <summary>What one call led to. Both spans are valid until this thread's next call of any <see cref="TlsEnd"/>.</summary>
internal readonly ref struct TlsStep(TlsStatus status, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> toPeer)
{
    public TlsStatus Status { get; } = status;

    /// <summary>Application data, also of records before one that failed. <see cref="TlsEnd.Seal"/> and <see cref="TlsEnd.Close"/> leave it intact.</summary>
    public ReadOnlySpan<byte> Plain { get; } = plain;

    /// <summary>Bytes for the connection, in the order of the calls.</summary>
    public ReadOnlySpan<byte> ToPeer { get; } = toPeer;
}
