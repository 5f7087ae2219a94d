using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>A client in an open tunnel, however that was opened.</summary>
internal interface ITalker : IAsyncDisposable
{
    Task WriteAsync(ReadOnlyMemory<byte> bytes);

    /// <summary>All that comes, up to the orderly end.</summary>
    Task<byte[]> ReadToEndAsync();
}

/// <summary>On a connection of its own.</summary>
internal sealed class WireTalker(Wire wire) : ITalker
{
    public Task WriteAsync(ReadOnlyMemory<byte> bytes) => wire.WriteAsync(bytes);

    public Task<byte[]> ReadToEndAsync() => wire.ReadToEndAsync();

    public ValueTask DisposeAsync() => wire.DisposeAsync();
}

/// <summary>On a stream of an HTTP/2 connection.</summary>
internal sealed class StreamTalker(Stream stream) : ITalker
{
    public async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        await stream.WriteAsync(bytes, Wait.Token());
        await stream.FlushAsync(Wait.Token());
    }

    public async Task<byte[]> ReadToEndAsync()
    {
        using var all = new MemoryStream();
        await stream.CopyToAsync(all, Wait.Token());
        return all.ToArray();
    }

    public ValueTask DisposeAsync() => stream.DisposeAsync();
}
