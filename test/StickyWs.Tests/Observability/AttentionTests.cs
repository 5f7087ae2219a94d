using Microsoft.Extensions.Time.Testing;
using StickyWs.Observability;

namespace StickyWs.Tests.Observability;

public sealed class AttentionTests : IDisposable
{
    private readonly FakeTimeProvider _clock = new();
    private readonly Attention _attention;
    private readonly List<string> _told = [];

    public AttentionTests()
    {
        _attention = new Attention(_clock);
        _attention.Begun += () => _told.Add("begun");
        _attention.Lapsed += () => _told.Add("lapsed");
    }

    public void Dispose() => _attention.Dispose();

    [Fact]
    public void Look_Counts_ForFiveMinutes()
    {
        Assert.False(_attention.IsPaid);

        _attention.Look();
        Assert.Equal((true, _clock.GetUtcNow()), (_attention.IsPaid, _attention.Since));
        Pass(4);
        Assert.True(_attention.IsPaid);
        Pass(2);

        Assert.Equal((false, null), (_attention.IsPaid, _attention.Since));
        Assert.Equal(["begun", "lapsed"], _told);
    }

    [Fact]
    public void Look_AgainAndAgain_LastsOn_AndIsToldOnce()
    {
        for (var i = 0; i < 20; i++)
        {
            _attention.Look();
            Pass(3);
        }

        Assert.True(_attention.IsPaid);
        Assert.Equal(["begun"], _told);
    }

    [Fact]
    public void Watch_Lasts_HoweverLongItTakes_AndItsEndIsALook()
    {
        _attention.BeginWatch();
        Pass(60);
        Assert.True(_attention.IsPaid);

        _attention.EndWatch();
        Pass(4);
        Assert.True(_attention.IsPaid);
        Pass(2);
        Assert.False(_attention.IsPaid);
    }

    [Fact]
    public void Look_AfterItHasLapsed_BeginsAnew()
    {
        _attention.Look();
        Pass(10);
        _attention.Look();
        Pass(10);

        Assert.Equal(["begun", "lapsed", "begun", "lapsed"], _told);
    }

    private void Pass(int minutes)
    {
        for (var i = 0; i < minutes; i++) _clock.Advance(TimeSpan.FromMinutes(1));
    }
}
