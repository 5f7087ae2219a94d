namespace StickyWs.Proxying;

/// <summary>What a <see cref="BackendWire"/> receives from and sends to: the connection to a backend, in clear or in TLS.</summary>
internal interface IWireLink
{
    /// <summary>Whether the kernel holds something from the backend, its end included.</summary>
    bool HasArrived { get; }

    ValueTask<int> ReceiveAsync(Memory<byte> buffer, CancellationToken cancellationToken);

    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    void Close();
}
