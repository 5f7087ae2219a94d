using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Names;
using StickyWs.TestKit;

namespace StickyWs.Tests.Names;

public sealed class AddressBookTests : INameResolver
{
    private static readonly IPAddress Dead = IPAddress.Parse("10.0.0.1");
    private static readonly IPAddress Live = IPAddress.Parse("10.0.0.2");
    private static readonly IPAddress Six = IPAddress.Parse("fd00::1");

    private readonly FakeTimeProvider _time = new();
    private readonly ConcurrentQueue<IPAddress> _dialled = new();
    private readonly ConcurrentDictionary<IPAddress, TaskCompletionSource<MemoryStream>> _answers = new();
    private readonly AddressBook _book;
    private IPAddress[] _addresses = [Dead, Live];

    public AddressBookTests() => _book = new AddressBook(this, _time);

    public ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken) => new(_addresses);

    [Fact]
    public async Task ConnectAsync_FirstRefuses_TriesTheNextAtOnce()
    {
        Refuse(Dead);
        Accept(Live);
        await ConnectAsync();
        Assert.Equal([Dead, Live], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_FirstIsSilent_TriesTheNextAfterAWhileAndGivesTheFirstUp()
    {
        Accept(Live);
        var connecting = ConnectAsync();
        Assert.Equal([Dead], _dialled);
        _time.Advance(TimeSpan.FromMilliseconds(249));
        Assert.Equal([Dead], _dialled);
        _time.Advance(TimeSpan.FromMilliseconds(1));
        await connecting;
        Assert.Equal([Dead, Live], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_OneWasReached_BeginsWithItForAWhile()
    {
        Refuse(Dead);
        Accept(Live);
        await ConnectAsync();
        _dialled.Clear();
        _time.Advance(TimeSpan.FromMinutes(9));
        await ConnectAsync();
        Assert.Equal([Live], _dialled);
        _dialled.Clear();
        _time.Advance(TimeSpan.FromMinutes(11));
        await ConnectAsync();
        Assert.Equal([Dead, Live], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_TheOneThatWasReachedDies_FindsTheOther()
    {
        Refuse(Dead);
        Accept(Live);
        await ConnectAsync();
        Refuse(Live);
        Accept(Dead);
        await ConnectAsync();
        Assert.Equal([Dead, Live, Live, Dead], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_AllRefuse_FailsAsTheLast()
    {
        Refuse(Dead);
        Refuse(Live);
        var failure = await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
    }

    [Fact]
    public async Task ConnectAsync_SeveralFamilies_TakesThemInTurn()
    {
        _addresses = [Dead, Live, Six];
        foreach (var address in _addresses) Refuse(address);
        await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        Assert.Equal([Dead, Six, Live], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_GivenUp_EndsAsCancelled()
    {
        using var stop = new CancellationTokenSource();
        var connecting = _book.ConnectAsync(
            "several.test",
            80,
            async (_, token) =>
            {
                await Task.Delay(Timeout.InfiniteTimeSpan, token);
                return new MemoryStream();
            },
            stop.Token);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await connecting);
    }

    [Fact]
    public async Task ConnectAsync_LoserArrivesLate_IsClosed()
    {
        Accept(Live);
        var connecting = ConnectAsync();
        _time.Advance(TimeSpan.FromMilliseconds(250));
        await connecting;
        var late = new MemoryStream();
        AnswerOf(Dead).SetResult(late);
        await Wait.UntilAsync(() => !late.CanRead);
    }

    [Theory]
    [InlineData("127.0.0.1", "127.0.0.1")]
    [InlineData("::ffff:127.0.0.1", "127.0.0.1")]
    [InlineData("::1", "::1")]
    public async Task ConnectAsync_Literal_IsNotLookedUp(string host, string expected)
    {
        _addresses = [];
        Accept(IPAddress.Parse(expected));
        await _book.ConnectAsync(host, 80, DialAsync, CancellationToken.None);
        Assert.Equal([IPAddress.Parse(expected)], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_NameWithoutAddress_IsNotFound()
    {
        _addresses = [];
        Assert.Equal(SocketError.HostNotFound, (await Assert.ThrowsAsync<SocketException>(ConnectAsync)).SocketErrorCode);
    }

    private async Task ConnectAsync() => await _book.ConnectAsync("several.test", 80, DialAsync, CancellationToken.None);

    // One that loses is not cancelled here, to see what becomes of it.
    private ValueTask<MemoryStream> DialAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        _dialled.Enqueue(address.Address);
        return new(AnswerOf(address.Address).Task);
    }

    private TaskCompletionSource<MemoryStream> AnswerOf(IPAddress address) => _answers.GetOrAdd(address, _ => new());

    private void Accept(IPAddress address) => (_answers[address] = new()).SetResult(new MemoryStream());

    private void Refuse(IPAddress address) => (_answers[address] = new()).SetException(new SocketException((int)SocketError.ConnectionRefused));
}
