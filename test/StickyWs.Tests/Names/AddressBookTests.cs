using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Time.Testing;
using StickyWs.Backends;
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
    private bool _isSilent;

    public AddressBookTests() => _book = new AddressBook(this, _time);

    public async ValueTask<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        if (_isSilent) await Task.Delay(Timeout.InfiniteTimeSpan, cancellationToken);
        return _addresses;
    }

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
    public async Task Distrust_OfTheOneThatWasReached_TriesItLastUntilAnotherWasReached()
    {
        _addresses = [Dead, Six, Live];
        Accept(Dead);
        await ConnectAsync();
        _dialled.Clear();

        _book.Distrust("several.test", 80);

        Refuse(Six);
        Accept(Live);
        await ConnectAsync();
        Assert.Equal([Six, Live], _dialled);
        _dialled.Clear();
        await ConnectAsync();
        Assert.Equal([Live], _dialled);
    }

    [Fact]
    public async Task Distrust_OthersFail_TriesItAllTheSame()
    {
        Accept(Dead);
        await ConnectAsync();
        _dialled.Clear();

        _book.Distrust("several.test", 80);

        Refuse(Live);
        await ConnectAsync();
        Assert.Equal([Live, Dead], _dialled);
    }

    [Fact]
    public async Task Distrust_OfAnotherPort_ChangesNothing()
    {
        Accept(Dead);
        await ConnectAsync();
        _dialled.Clear();

        _book.Distrust("several.test", 81);

        await ConnectAsync();
        Assert.Equal([Dead], _dialled);
    }

    [Fact]
    public async Task ConnectAsync_AllRefuse_FailsAsTheLast()
    {
        Refuse(Dead);
        Refuse(Live);
        var failure = await Assert.ThrowsAsync<SocketException>(ConnectAsync);
        Assert.Equal(SocketError.ConnectionRefused, failure.SocketErrorCode);
    }

    // A machine without IPv6 has no way to such an address, whatever the backend does; nor does it say anything of the backend that the machine is short of
    // something.
    [Theory]
    [InlineData(SocketError.ConnectionRefused, SocketError.AddressNotAvailable, SocketError.ConnectionRefused)]
    [InlineData(SocketError.AddressNotAvailable, SocketError.ConnectionRefused, SocketError.ConnectionRefused)]
    [InlineData(SocketError.NetworkUnreachable, SocketError.ConnectionRefused, SocketError.ConnectionRefused)]
    [InlineData(SocketError.AddressFamilyNotSupported, SocketError.TimedOut, SocketError.TimedOut)]
    [InlineData(SocketError.HostUnreachable, SocketError.ConnectionRefused, SocketError.HostUnreachable)]
    [InlineData(SocketError.ConnectionRefused, SocketError.HostUnreachable, SocketError.HostUnreachable)]
    [InlineData(SocketError.TooManyOpenSockets, SocketError.ConnectionRefused, SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.AddressNotAvailable, SocketError.AddressNotAvailable, SocketError.AddressNotAvailable)]
    public async Task ConnectAsync_AllFail_FailsAsTheOneThatSaysMost(SocketError first, SocketError second, SocketError expected)
    {
        _addresses = [Live, Six];
        Fail(Live, first);
        Fail(Six, second);
        Assert.Equal(expected, (await Assert.ThrowsAsync<SocketException>(ConnectAsync)).SocketErrorCode);
    }

    [Fact]
    public async Task ConnectAsync_NoPortTowardsTheOneThatWasReached_IsOurTroubleWhateverTheOtherSays()
    {
        _addresses = [Live, Six];
        Accept(Live);
        await ConnectAsync();
        Fail(Live, SocketError.AddressNotAvailable);
        Refuse(Six);
        Assert.Equal(SocketError.AddressNotAvailable, (await Assert.ThrowsAsync<SocketException>(ConnectAsync)).SocketErrorCode);
    }

    [Fact]
    public async Task ConnectAsync_GivenUpBeforeTheTurnOfTheNext_BeginsWithThatTheNextTime()
    {
        using var stop = new CancellationTokenSource();
        var connecting = ConnectAsync(stop.Token);
        await stop.CancelAsync();
        AnswerOf(Dead).SetCanceled(stop.Token);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        Accept(Live);
        await ConnectAsync();
        Assert.Equal([Dead, Live], _dialled);
    }

    // Or a client that leaves in the midst of its handshake would give everybody the dead address first.
    [Fact]
    public async Task ConnectAsync_GivenUpTwice_BeginsAllTheSameWithTheOneThatWasReached()
    {
        Accept(Dead);
        await ConnectAsync();
        for (var i = 0; i < 2; i++) await GiveUpAsync();
        _dialled.Clear();
        Accept(Dead);
        await ConnectAsync();
        Assert.Equal([Dead], _dialled);

        for (var i = 0; i < 3; i++) await GiveUpAsync();
        _dialled.Clear();
        Accept(Live);
        await ConnectAsync();
        Assert.Equal([Live], _dialled);

        async Task GiveUpAsync()
        {
            _answers[Dead] = new();
            using var stop = new CancellationTokenSource();
            var connecting = ConnectAsync(stop.Token);
            await stop.CancelAsync();
            AnswerOf(Dead).SetCanceled(stop.Token);
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connecting);
        }
    }

    [Fact]
    public async Task ConnectAsync_GivenUpWhileTheNameIsLookedUp_SaysSo()
    {
        using var stop = new CancellationTokenSource();
        _isSilent = true;
        var connecting = ConnectAsync(stop.Token);
        await stop.CancelAsync();
        Assert.Equal(Evidence.OutOfReach, EvidenceExtensions.OfConnect(await Assert.ThrowsAsync<SocketException>(() => connecting)));
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

    private Task ConnectAsync() => ConnectAsync(CancellationToken.None);

    private async Task ConnectAsync(CancellationToken cancellationToken) => await _book.ConnectAsync("several.test", 80, DialAsync, cancellationToken);

    // One that loses is not cancelled here, to see what becomes of it.
    private ValueTask<MemoryStream> DialAsync(IPEndPoint address, CancellationToken cancellationToken)
    {
        _dialled.Enqueue(address.Address);
        return new(AnswerOf(address.Address).Task);
    }

    private TaskCompletionSource<MemoryStream> AnswerOf(IPAddress address) => _answers.GetOrAdd(address, _ => new());

    private void Accept(IPAddress address) => (_answers[address] = new()).SetResult(new MemoryStream());

    private void Refuse(IPAddress address) => Fail(address, SocketError.ConnectionRefused);

    private void Fail(IPAddress address, SocketError error) => (_answers[address] = new()).SetException(new SocketException((int)error));
}
