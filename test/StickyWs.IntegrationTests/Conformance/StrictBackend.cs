using System.Buffers;
using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using StickyWs.TestKit;

namespace StickyWs.IntegrationTests.Conformance;

/// <summary>
/// An endpoint by the letter of RFC 6455, whose answers are a function of the bytes that it gets, however these are cut: each frame of a message is sent
/// back as it is, without its mask; pings are answered; whoever breaks a rule gets a Close that says which, and is not listened to any more. It shares no code
/// with what is tested.
/// </summary>
internal sealed class StrictBackend : IAsyncDisposable
{
    private readonly ConcurrentDictionary<string, TaskCompletionSource<byte[]>> _heard = new();

    public StrictBackend(X509Certificate2? certificate = null) => Raw = RawBackend.Start(ServeAsync, certificate: certificate);

    public RawBackend Raw { get; }

    /// <summary>All that came after the handshake with this target, when its connection has ended.</summary>
    public Task<byte[]> HeardAsync(string target) => Entry(target).Task.WaitAsync(Wait.Bound);

    public ValueTask DisposeAsync() => Raw.DisposeAsync();

    private TaskCompletionSource<byte[]> Entry(string target)
        => _heard.GetOrAdd(target, static _ => new TaskCompletionSource<byte[]>(TaskCreationOptions.RunContinuationsAsynchronously));

    private async Task ServeAsync(RawBackend backend, Wire wire)
    {
        var head = await backend.TakeHeadAsync(wire);
        var heard = new ArrayBufferWriter<byte>();
        var talk = new StrictTalk();
        try
        {
            await wire.WriteAsync(HttpHead.SwitchingProtocols(head));
            while (await wire.ReadAsync(heard.GetMemory(64 * 1024)) is > 0 and var read)
            {
                heard.Advance(read);
                var wasOver = talk.IsOver;
                var answer = talk.Take(heard.WrittenMemory);
                if (!answer.IsEmpty) await wire.WriteAsync(answer);
                if (talk.IsOver && !wasOver) await wire.FinishAsync();
            }

            if (!talk.IsOver) await wire.FinishAsync();
        }
        finally
        {
            Entry(HttpHead.FirstLine(head).Split(' ')[1]).TrySetResult(heard.WrittenSpan.ToArray());
        }
    }
}
