using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using StickyWs.Backends;
using StickyWs.Dialing;

namespace StickyWs.Proxying;

/// <summary>
/// Which <c>http</c> backends speak HTTP/2 with prior knowledge (RFC 9113 section 3.3). A client's <c>Content-Type</c> proves nothing, so the
/// balancer checks on a connection of its own: it sends the preface, which HTTP/1.1 servers reject by design, and looks for the SETTINGS frame that
/// any HTTP/2 server must send.
/// </summary>
internal sealed class PriorKnowledge(TimeProvider time)
{
    private const int FrameHeaderBytes = 9;
    private const int SettingsType = 4;

    // A backend may be replaced by one with another HTTP version, but clients cannot trigger checks more often than this.
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromSeconds(10);

    // The preface and an empty SETTINGS frame (RFC 9113 section 3.4).
    private static readonly byte[] Preface = [.. "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"u8, 0, 0, 0, SettingsType, 0, 0, 0, 0, 0];

    private readonly ConditionalWeakTable<Backend, Answer> _answers = [];

    /// <summary>Whether the backend speaks it. It is checked once, and concurrent callers wait for the same result.</summary>
    public Task<bool> IsSpokenByAsync(Backend backend, TimeSpan timeout)
    {
        var answer = _answers.GetOrCreateValue(backend);
        lock (answer)
        {
            if (answer.Task is { IsCompletedSuccessfully: true, Result: false }) ForgetOld(answer);
            if (answer.Task is not null) return answer.Task;
            answer.AskedAt = time.GetTimestamp();
            return answer.Task = Task.Run(() => AskAsync(backend, answer, timeout));
        }
    }

    /// <summary>A request with prior knowledge failed: the result may be outdated.</summary>
    public void Doubt(Backend backend)
    {
        if (!_answers.TryGetValue(backend, out var answer)) return;
        lock (answer) ForgetOld(answer);
    }

    private void ForgetOld(Answer answer)
    {
        if (answer.Task is { IsCompleted: true } && time.GetElapsedTime(answer.AskedAt) >= ShortestMemory) answer.Task = null;
    }

    private async Task<bool> AskAsync(Backend backend, Answer answer, TimeSpan timeout)
    {
        using var timer = new CancellationTokenSource(timeout, time);
        var frame = ArrayPool<byte>.Shared.Rent(FrameHeaderBytes);
        var isConnected = false;
        try
        {
            var stream = await StreamDialer.ConnectAsync(backend, timer.Token).ConfigureAwait(false);
            await using var closing = stream.ConfigureAwait(false);
            isConnected = true;
            await stream.WriteAsync(Preface, timer.Token).ConfigureAwait(false);
            var head = frame.AsMemory(0, FrameHeaderBytes);
            var read = await stream.ReadAtLeastAsync(head, FrameHeaderBytes, throwOnEndOfStream: false, timer.Token).ConfigureAwait(false);
            return read == FrameHeaderBytes && frame[3] == SettingsType && !frame.AsSpan(4, 5).ContainsAnyExcept((byte)0);
        }
        catch (Exception e) when (e is IOException or SocketException or OperationCanceledException)
        {
            return false; // No response means no HTTP/2. The request itself will meet the failure, and report it.
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(frame);
            if (!isConnected) Forget(answer);
        }
    }

    // The check did not take place. The next request checks again.
    private static void Forget(Answer answer)
    {
        lock (answer) answer.Task = null;
    }

    private sealed class Answer
    {
        public Task<bool>? Task { get; set; }

        public long AskedAt { get; set; }
    }
}
