using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Storms;

/// <summary>
/// A backend that answers each handshake with a tunnel, and each other request with "ok", when the test lets it, and counts how many it has at a time.
/// </summary>
internal sealed class GatedBackend : IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(0);
    private readonly Lock _lock = new();
    private readonly bool _isTls;
    private int _inside;
    private int _most;
    private int _served;

    /// <param name="isTls">Whether it gets ClientHellos instead, which it answers with a byte.</param>
    public GatedBackend(bool isTls = false)
    {
        _isTls = isTls;
        Raw = RawBackend.Start(ServeAsync);
    }

    public RawBackend Raw { get; }

    public string Address => Raw.Address;

    /// <summary>How many wait for its answer now.</summary>
    public int Inside => Volatile.Read(ref _inside);

    /// <summary>How many did so at most.</summary>
    public int Most => Volatile.Read(ref _most);

    /// <summary>How many it has answered.</summary>
    public int Served => Volatile.Read(ref _served);

    /// <summary>Lets some be answered.</summary>
    public void Open(int count = 1_000_000) => _gate.Release(count);

    public ValueTask DisposeAsync() => Raw.DisposeAsync();

    private async Task ServeAsync(RawBackend backend, Wire wire)
    {
        var head = _isTls ? await TakeHelloAsync(wire) : await backend.TakeHeadAsync(wire);
        lock (_lock) _most = Math.Max(_most, ++_inside);
        try
        {
            await _gate.WaitAsync(Wait.Token());
        }
        finally
        {
            lock (_lock) _inside--;
        }

        Interlocked.Increment(ref _served);
        if (HttpHead.Value(head, "Upgrade") is not null) await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
        else if (_isTls) await wire.WriteAsync("!");
        else await wire.WriteAsync("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok");
        backend.GiveToTest(wire);
    }

    private static async Task<string> TakeHelloAsync(Wire wire)
    {
        var header = await wire.ReadExactlyAsync(5);
        await wire.ReadExactlyAsync((header[3] << 8) | header[4]);
        return "";
    }
}
