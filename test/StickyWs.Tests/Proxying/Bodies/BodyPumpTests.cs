using System.Net;
using System.Text;
using StickyWs.Proxying;

namespace StickyWs.Tests.Proxying;

/// <summary>
/// A client's body that goes to one attempt after the other, whose ends and beginnings overlap: the HTTP client does not wait for the end of a body
/// that nobody wants.
/// </summary>
public sealed class BodyPumpTests : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly HeldStream _first = new();
    private readonly HeldStream _second = new();
    private readonly CancellationTokenSource _firstAttempt = new();
    private readonly BodyPump _pump = new(new Pieces("one,", "two,", "three"), gate: null, length: null);

    public void Dispose()
    {
        _pump.Dispose();
        _first.Dispose();
        _second.Dispose();
        _firstAttempt.Dispose();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendTo_WhileTheAttemptBeforeIsEnding_SendsAllOfIt(bool fails)
    {
        var first = SendAsync(_first, _firstAttempt.Token);
        await _first.BeginsAsync();
        var second = SendAsync(_second, CancellationToken.None);
        await _second.BeginsAsync();

        if (fails) _first.Fail();
        else _first.Release();
        _second.Release();

        Assert.True(await second.WaitAsync(Patience));
        Assert.Equal("one,two,three", _second.Text);
        await _firstAttempt.CancelAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => first).WaitAsync(Patience);
    }

    [Fact]
    public async Task SendTo_TheAttemptBeforeIsCancelledLate_GoesOn()
    {
        var first = SendAsync(_first, _firstAttempt.Token);
        await _first.BeginsAsync();
        var second = SendAsync(_second, CancellationToken.None);
        await _second.BeginsAsync();
        _second.ReleaseOne();
        await _firstAttempt.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first).WaitAsync(Patience);

        _first.Release();
        _second.Release();

        Assert.True(await second.WaitAsync(Patience));
        Assert.Equal("one,two,three", _second.Text);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task SendTo_CancelledDuringAWrite_EndsWithTheWrite(bool fails)
    {
        var first = SendAsync(_first, _firstAttempt.Token);
        await _first.BeginsAsync();
        await _firstAttempt.CancelAsync();
        Assert.False(first.IsCompleted);

        if (fails) _first.Fail();
        else _first.ReleaseOne();

        var why = await Assert.ThrowsAnyAsync<Exception>(() => first).WaitAsync(Patience);
        Assert.Equal(fails, why is IOException);
    }

    [Fact]
    public async Task SendTo_AnsweredBeforeItBegan_SendsAllOfIt()
    {
        _pump.Settle();
        _first.Release();
        Assert.True(await SendAsync(_first, CancellationToken.None).WaitAsync(Patience));
        Assert.Equal("one,two,three", _first.Text);
    }

    [Fact]
    public async Task SendTo_OnceMoreAndAnsweredBeforeItBegan_SendsAllOfIt()
    {
        var first = SendAsync(_first, _firstAttempt.Token);
        await _first.BeginsAsync();
        await _firstAttempt.CancelAsync();
        _first.Release();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first).WaitAsync(Patience);

        _pump.Settle();
        _second.Release();

        Assert.True(await SendAsync(_second, CancellationToken.None).WaitAsync(Patience));
        Assert.Equal("one,two,three", _second.Text);
        Assert.False(_pump.CanRepeat);
    }

    private Task<bool> SendAsync(Stream stream, CancellationToken attempt)
        => _pump.SendToAsync(new BodyTarget(stream, isKept: true), context: null, CancellationToken.None, attempt);

    private sealed class Pieces(params string[] pieces) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            foreach (var piece in pieces) await stream.WriteAsync(Encoding.ASCII.GetBytes(piece));
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }

    private sealed class HeldStream : MemoryStream
    {
        private readonly SemaphoreSlim _begun = new(0);
        private readonly SemaphoreSlim _may = new(0);
        private volatile bool _fails;

        public string Text => Encoding.ASCII.GetString(ToArray());

        public async Task BeginsAsync() => Assert.True(await _begun.WaitAsync(Patience));

        public void ReleaseOne() => _may.Release();

        public void Release() => _may.Release(100);

        public void Fail()
        {
            _fails = true;
            Release();
        }

        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            _begun.Release();
            await _may.WaitAsync(cancellationToken);
            if (_fails) throw new IOException("The stream is reset.");
            Write(buffer.Span);
        }

        protected override void Dispose(bool disposing)
        {
            _begun.Dispose();
            _may.Dispose();
            base.Dispose(disposing);
        }
    }
}
